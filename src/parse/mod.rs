//! The worklist: candidates in, artifacts, nested candidates and gaps out.
