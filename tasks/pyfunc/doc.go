// Package pyfunc runs the functions of Python that task files name, as they stand in their files: what makes a
// prompt of a document, filters and reshapes documents. It reads a part of the language, over the values of
// package py: functions, conditions, loops, comprehensions, f-strings, the methods of texts, lists and dicts, and of the
// modules re, string, functools and ast what such functions use. Nothing of the machine can be reached: there are no
// files, no network, no clock and no chance. What is not understood is an error with file and line, found when the
// function is loaded wherever its text tells, and never a guess; steps are bounded. It knows no task and no model.
package pyfunc
