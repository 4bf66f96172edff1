//! The only place for command-line arguments, standard output, colour and exit codes.
