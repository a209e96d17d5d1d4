package mfahttp

// sessionKeeper keeps the values in the application's session, which knows whose they are.
type sessionKeeper struct{ session Session }

func (k sessionKeeper) read(v *visit, key string) ([]byte, error) {
	b, err := k.session.Get(v.r.Context(), key)
	if err != nil {
		return nil, hookError("Session", err)
	}
	return b, nil
}

func (k sessionKeeper) write(v *visit, changed map[string][]byte) error {
	for key, value := range changed {
		var err error
		if value == nil {
			err = k.session.Remove(v.r.Context(), key)
		} else {
			err = k.session.Put(v.r.Context(), key, value)
		}
		if err != nil {
			return hookError("Session", err)
		}
	}
	return nil
}
