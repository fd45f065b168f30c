// Package valid checks Envoy's configuration by the rules that Envoy's own
// types carry.
package valid

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// Check finds every mistake in a message and in what is packed into it: the
// validators themselves don't look into an Any. An Any of a type that isn't
// linked into the program is a mistake, too.
func Check(m proto.Message) error {
	var errs []error
	add := func(place string, m protoreflect.Message) {
		checked, ok := m.Interface().(interface{ ValidateAll() error })
		if !ok {
			return // one of protobuf's own types, which have no rules
		}
		if err := checked.ValidateAll(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
		}
	}
	add(string(m.ProtoReflect().Descriptor().Name()), m.ProtoReflect())
	err := protorange.Range(m.ProtoReflect(), func(values protopath.Values) error {
		last := values.Index(-1)
		switch last.Step.Kind() {
		case protopath.AnyExpandStep:
			add(values.Path[1:].String(), last.Value.Message())
		case protopath.UnknownAccessStep:
			errs = append(errs, fmt.Errorf("%s: unknown fields", values.Path[1:]))
		default:
			errs = append(errs, checkKnown(values))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// checkKnown refuses an Any that can't be looked into.
func checkKnown(values protopath.Values) error {
	m, ok := values.Index(-1).Value.Interface().(protoreflect.Message)
	if !ok {
		return nil
	}
	packed, ok := m.Interface().(*anypb.Any)
	if !ok {
		return nil
	}
	if _, err := packed.UnmarshalNew(); err != nil {
		return fmt.Errorf("%s: %s: %w", values.Path[1:], packed.TypeUrl, err)
	}
	return nil
}
