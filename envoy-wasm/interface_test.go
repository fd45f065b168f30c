package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// What lies between the module and its host, name by name. The linker leaves
// out in silence what it thinks nobody calls, and a dependency may bring a call
// with it that no Envoy links.

// needed are the host's functions by which the filter works.
var needed = strings.Fields(`
	env.proxy_continue_stream env.proxy_define_metric env.proxy_done env.proxy_get_buffer_bytes
	env.proxy_get_header_map_pairs env.proxy_get_header_map_value env.proxy_get_log_level env.proxy_get_property
	env.proxy_get_shared_data env.proxy_http_call env.proxy_increment_metric env.proxy_log env.proxy_record_metric
	env.proxy_remove_header_map_value env.proxy_send_local_response env.proxy_set_buffer_bytes
	env.proxy_set_effective_context env.proxy_set_header_map_pairs env.proxy_set_shared_data
	env.proxy_set_tick_period_milliseconds
	wasi.clock_time_get wasi.random_get`)

// offered are those that Envoy 1.36, the oldest supported, links besides. One
// more, and it refuses the module.
var offered = strings.Fields(`
	env.proxy_add_header_map_value env.proxy_call_foreign_function env.proxy_clear_route_cache env.proxy_close_stream
	env.proxy_dequeue_shared_queue env.proxy_enqueue_shared_queue env.proxy_get_buffer_status
	env.proxy_get_current_time_nanoseconds env.proxy_get_header_map_size env.proxy_get_metric env.proxy_get_status env.proxy_grpc_call env.proxy_grpc_cancel env.proxy_grpc_close
	env.proxy_grpc_send env.proxy_grpc_stream env.proxy_register_shared_queue
	env.proxy_replace_header_map_value env.proxy_resolve_shared_queue env.proxy_set_property
	wasi.args_get wasi.args_sizes_get wasi.environ_get wasi.environ_sizes_get wasi.fd_close wasi.fd_fdstat_get
	wasi.fd_fdstat_set_flags wasi.fd_prestat_dir_name wasi.fd_prestat_get wasi.fd_read wasi.fd_seek wasi.fd_write
	wasi.path_open wasi.poll_oneoff wasi.proc_exit wasi.sched_yield`)

// callbacks are what the host must find to call us, under the ABI 0.2.1, which
// alone has proxy_get_log_level.
var callbacks = strings.Fields(`
	_initialize proxy_abi_version_0_2_1 proxy_on_configure proxy_on_context_create proxy_on_delete proxy_on_done
	proxy_on_http_call_response proxy_on_log proxy_on_memory_allocate proxy_on_request_body proxy_on_request_headers
	proxy_on_request_trailers proxy_on_response_body proxy_on_response_headers proxy_on_response_trailers proxy_on_tick proxy_on_vm_start`)

func TestModuleImports(t *testing.T) {
	var imports []string
	for _, f := range compileModule(t).ImportedFunctions() {
		from, name, _ := f.Import()
		imports = append(imports, strings.TrimSuffix(from, "_snapshot_preview1")+"."+name)
	}
	for _, name := range needed {
		if !slices.Contains(imports, name) {
			t.Errorf("the module does not import %s, by which it works", name)
		}
	}
	for _, name := range imports {
		if !slices.Contains(needed, name) && !slices.Contains(offered, name) {
			t.Errorf("the module imports %s, which Envoy 1.36 does not have", name)
		}
	}
}

func TestModuleExports(t *testing.T) {
	module := compileModule(t)
	exports := module.ExportedFunctions()
	for _, name := range callbacks {
		if exports[name] == nil {
			t.Errorf("the module does not export %s", name)
		}
	}
	for name := range exports {
		if !slices.Contains(callbacks, name) {
			t.Errorf("the module exports %s, for which no host has a use, or the filter has none", name)
		}
	}
	if module.ExportedMemories()["memory"] == nil {
		t.Error("the module does not export its memory")
	}
}

// compileModule reads the module as it is delivered.
func compileModule(t *testing.T) wazero.CompiledModule {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithCompilationCache(compiled))
	t.Cleanup(func() { r.Close(t.Context()) })
	module, err := r.CompileModule(t.Context(), buildModule(t))
	if err != nil {
		t.Fatal(err)
	}
	return module
}
