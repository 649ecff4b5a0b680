module securescan.kubernetes/tests/source-controller

go 1.26

tool github.com/fluxcd/source-controller

require github.com/fluxcd/source-controller v1.9.6 // indirect

replace (
	github.com/fluxcd/pkg/artifact => github.com/fluxcd/pkg/artifact v0.18.0
	github.com/opencontainers/go-digest => github.com/opencontainers/go-digest v1.0.1-0.20220411205349-bde1400a84be
)
