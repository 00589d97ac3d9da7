"""Long texts: from a document to segments, through the one path, to files that are kept."""
