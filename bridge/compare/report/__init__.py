"""What a comparison found, said: in sentences, as a page with pictures, and for programs."""
