package jinja

import "github.com/softbench/softbench/tasks/py"

// expr is an expression; its value is asked for by eval.
type expr interface {
	eval(c *context) (py.Value, error)
}

// stmt is a part of a template; run writes what it gives.
type stmt interface {
	run(c *context) error
}

type (
	constant struct{ value py.Value }
	name     struct {
		name string
		line int
	}
	list  struct{ items []expr }
	tuple struct{ items []expr }
	dict  struct {
		keys, values []expr
		line         int
	}
	binary struct {
		op          string
		left, right expr
		line        int
	}
	unary struct {
		op   string
		of   expr
		line int
	}
	logic struct { // and, or
		and         bool
		left, right expr
	}
	comparison struct {
		first expr
		ops   []string
		rest  []expr
		line  int
	}
	concat struct {
		parts []expr
		line  int
	}
	conditional struct {
		test, then, otherwise expr // otherwise may be nil
		line                  int
	}
	attribute struct {
		of   expr
		name string
		line int
	}
	item struct {
		of, key expr
		line    int
	}
	slice struct {
		of                expr
		start, stop, step expr // nil where left out
		line              int
	}
	call struct {
		of   expr
		args arguments
		line int
	}
	filterCall struct {
		of   expr // nil in a {% filter %}, whose text it takes
		name string
		args arguments
		line int
	}
	testCall struct {
		of   expr
		name string
		args []expr
		line int
	}
	arguments struct {
		args  []expr
		names []string
		named []expr
	}
)

type (
	data   struct{ text string }
	output struct {
		of   expr
		line int
	}
	ifStmt struct {
		tests  []expr
		bodies [][]stmt
		other  []stmt
	}
	forStmt struct {
		target    target
		of        expr
		test      expr // nil: all
		body      []stmt
		other     []stmt
		recursive bool
		line      int
	}
	setStmt struct {
		target target
		value  expr
		line   int
	}
	setBlock struct {
		target  target
		filters []filterCall
		body    []stmt
		line    int
	}
	macroStmt struct {
		name     string
		params   []string
		defaults []expr // of the last parameters
		body     []stmt
		line     int
	}
	callBlock struct {
		macro *macroStmt // the body, called caller
		of    *call
		line  int
	}
	filterBlock struct {
		filters []filterCall
		body    []stmt
		line    int
	}
	withStmt struct {
		targets []target
		values  []expr
		body    []stmt
		line    int
	}
	scopeBlock struct{ body []stmt }
	jump       struct{ next bool } // break, or continue
)

// target is what a value is given to: a name, an attribute of a namespace, or several of these.
type target struct {
	name string
	attr string // of the namespace called name
	many []target
	line int
}
