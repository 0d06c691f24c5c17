"""Chat requests and streamed answers, in the words of each inference endpoint."""
