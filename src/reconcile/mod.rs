//! Pure judgement: sightings, entries, policy and a time become findings.
