// Package twins holds two small models that were trained alike but for their
// attention, softmax and softpick, with the held-out questions and text to
// compare them on. The script make in this directory made them.
//
// It owns these files and how they come to lie in a directory. It must not know
// how models are run or compared.
package twins
