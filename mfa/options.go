package mfa

import (
	"github.com/secondgate/secondgate/mfa/internal/decide"
)

// options returns options as applications show them. Package decide decides which there are, and
// in which order.
func (m *Manager) options(list []decide.Option) []Option {
	options := make([]Option, 0, len(list))
	for _, o := range list {
		k := m.rules.Kinds[o.Kind]
		shown := Option{Kind: o.Kind, FactorID: o.ID, Name: o.Name,
			MaskedDestination: o.MaskedDestination, Default: o.Default,
			Sends: k.Sends, Polled: k.Polled,
			Recovery: k.Recovery, Knowledge: k.Knowledge, Disabled: o.Disabled,
			Questions: shownOf(m.factors[o.Kind], o.State).Questions}
		shown.AssuranceLevel, shown.ACR = assuranceOf(k.Traits, o.Renew)
		if o.Shared {
			shown.FactorID, shown.Name, shown.MaskedDestination = "", "", ""
		}
		options = append(options, shown)
	}
	return options
}
