package rules

import "testing"

// What a shop writes as an amount is the number that a person reads; what two persons would read differently is none.
func TestParseAmount_readsAsAPersonDoes(t *testing.T) {
	for s, want := range map[string]string{
		"1280": "1280", "1,280": "1280", "12,345,678.90": "12345678.9", "1e3": "1000",
		"¥1,280.00": "1280", "￥99": "99", "$5": "5", "5 €": "5", "€ 5": "5", "128元": "128", "₹1,000": "1000",
		"USD 99.5": "99.5", "99.50 CNY": "99.5", "99usd": "99", "RMB128": "128", "HK$1,000": "1000", "R$ 7": "7", "30 kr": "30",
		"-$5": "-5", "$-5": "-5", "- ¥1,000": "-1000", "+€3": "3", " $7 ": "7", "$.5": "0.5", "0.5": "0.5", "0042": "42",

		"": "", "$": "", "USD": "", "-": "", "$$5": "", "$5 USD": "", "¥5元": "", "USDUSD 5": "",
		"1,5": "", "1,28": "", "1,2800": "", ",280": "", "1,,280": "", "0,123": "", "1,280,": "", "1,280,00": "", "1.280,00": "", "1.234,567": "", "1,280e1": "",
		"Inf": "", "NaN": "", "infinity USD": "", "1e9999999999": "", "--5": "", "-$-5": "", "5%": "", "5 kg": "", "3 pcs": "", "5-7": "", "$5-$7": "", "1 280": "", "1'280": "", "0x10": "", "1_000": "",
		"2026-01-05": "", "12:30": "", "level 3": "", "3 stars": "", "五": "", "$five": "",
	} {
		got, ok := parseAmount(s)
		if want == "" {
			if ok {
				t.Errorf("%q is the number %+v", s, got)
			}
			continue
		}
		if number, _ := parseDecimal(want); !ok || got != number {
			t.Errorf("%q is %+v, %v; want %s", s, got, ok, want)
		}
	}
}
