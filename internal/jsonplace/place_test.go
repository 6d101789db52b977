package jsonplace

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestPlaces(t *testing.T) {
	text := []byte("{\n \"a\": 1,\n \"b\": x\n}")
	var v map[string]int
	err := json.Unmarshal(text, &v)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatal(err)
	}
	if line, column := Position(text, syntax.Offset); line != 3 || column != 7 || text[syntax.Offset-1] != 'x' {
		t.Errorf("the x is at line %d, column %d", line, column)
	}
	if got := Locate(text, err).Error(); got != "line 3: "+err.Error() {
		t.Error(got)
	}
	if got := Locate(text, errors.New("another")).Error(); got != "another" {
		t.Error(got)
	}
	if line, column := Position(nil, 9); line != 1 || column != 1 || Line(text, 1<<40) != 4 {
		t.Error("a place beyond the text")
	}
}
