package pin

import "github.com/secondgate/secondgate/secret"

// ImportParams returns the parameter with which Enroll imports an instance: "hash".
func (f *Factor) ImportParams(state []byte) (map[string]secret.Text, error) {
	if len(state) == 0 || state[0] != stateVersion && state[0] != stateImported {
		return nil, errState
	}
	return map[string]secret.Text{"hash": secret.New(string(state[1:]))}, nil
}
