package main

import (
	"encoding/json"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestStructJSON(t *testing.T) {
	const text = `{"routes":[{"path":"/\"a\\\n","flag":true,"off":false,"none":null,"n":200000,"half":0.5,"deep":{"list":[[],{}]}}],"":""}`
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	message, err := structpb.NewStruct(want.(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	data, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var got any
	out, ok := structJSON(data)
	if err := json.Unmarshal(out, &got); err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("structJSON = %s, %v (%v), want %s", out, ok, err, text)
	}
	for n := range data {
		structJSON(data[:n]) // does not panic
	}
}

// FuzzStructJSON: what is taken for a Struct is valid JSON, as far as it is UTF-8.
func FuzzStructJSON(f *testing.F) {
	f.Add([]byte("\n\x05\n\x01a\x12\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		message := &structpb.Struct{}
		if proto.Unmarshal(data, message) != nil {
			structJSON(data)
			return
		}
		if out, ok := structJSON(data); ok && !json.Valid(out) {
			t.Errorf("structJSON(%q) = %s", data, out)
		}
	})
}
