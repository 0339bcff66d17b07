"""The trainable twins of methods, one file of the same name each."""
