// Package py has the values of Python as far as lm-evaluation-harness' tasks use them: their text
// (str and repr), truth, order, operators, the methods of str, list and dict, Python's literals, and
// its random numbers. Templates and ported functions are written with it. What it does not have is an
// error, never a guess. It knows no task, template or file.
package py
