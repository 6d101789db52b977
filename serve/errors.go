package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// failure is an error in OpenAI's form, with its HTTP status.
type failure struct {
	status  int
	message string
	param   string // the field that is wrong; "" where none is
	code    string
}

func (f *failure) Error() string { return f.message }

// bad is an error of the request's own.
func bad(param, format string, args ...any) *failure {
	return &failure{http.StatusBadRequest, fmt.Sprintf(format, args...), param, "invalid_value"}
}

// write sends the failure: {"error": {"message", "type", "param", "code"}}.
func (f *failure) write(w http.ResponseWriter) {
	var body struct {
		Error struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	body.Error.Message, body.Error.Type = f.message, "invalid_request_error"
	if f.status >= 500 {
		body.Error.Type = "server_error"
	}
	if f.param != "" {
		body.Error.Param = &f.param
	}
	if f.code != "" {
		body.Error.Code = &f.code
	}
	writeJSON(w, f.status, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // of our own types, whose numbers are finite
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that is gone hears nothing
}
