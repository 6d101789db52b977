// Package pickle reads the tensors of PyTorch's .bin and .pt files: a zip of a pickle
// and the numbers.
//
// It owns a decoder of the pickles that torch.save writes of a dictionary of
// tensors. It is not an interpreter: the few names that make tensors are known to it,
// any other ends the reading with an error, and nothing a file says is ever run. It
// knows nothing of models. Files of torch before 1.6, which are not zips, are refused.
package pickle
