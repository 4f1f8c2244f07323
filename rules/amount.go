package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseAmount reads a number, or an amount of money as people and shops write it: ¥1,280.00, 99 USD, -HK$5. It has at
// most one sign or code of a currency, before or behind, commas only between groups of three digits, and a point for
// decimals. What could be read in two ways, such as 1,5 or 0,123, is no number.
func parseAmount(s string) (decimal, bool) {
	s = strings.TrimSpace(s)
	if d, ok := parseDecimal(s); ok {
		return d, true
	}
	sign, s := cutSign(s)
	s, found := cutCurrency(s)
	if found && sign == "" {
		sign, s = cutSign(s) // $-5
	}
	if strings.Contains(s, ",") && !grouped(s) || s == "" || s[0] == '+' || s[0] == '-' {
		return decimal{}, false
	}
	return parseDecimal(sign + strings.ReplaceAll(s, ",", ""))
}

func cutSign(s string) (sign, rest string) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[:1], strings.TrimSpace(s[1:])
	}
	return "", s
}

// cutCurrency takes one sign or code of a currency off a text.
func cutCurrency(s string) (rest string, found bool) {
	isAmount := func(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune("+-.", r) }
	from, to := strings.IndexFunc(s, isAmount), strings.LastIndexFunc(s, isAmount)
	if from < 0 {
		return s, false
	}
	_, size := utf8.DecodeRuneInString(s[to:])
	before, after := strings.TrimSpace(s[:from]), strings.TrimSpace(s[to+size:])
	if (before == "") == (after == "") || !isCurrency(before+after) {
		return s, false
	}
	return s[from : to+size], true
}

// isCurrency knows the signs of Unicode, those that letters make, and the codes of ISO 4217.
func isCurrency(s string) bool {
	if r, size := utf8.DecodeRuneInString(s); size == len(s) && (unicode.Is(unicode.Sc, r) || strings.ContainsRune("元圆圓円원", r)) {
		return true
	}
	return len(s) >= 2 && strings.Contains(currencyWords, " "+strings.ToUpper(s)+" ")
}

// grouped says that the commas of a number stand between groups of three digits.
func grouped(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		if !onlyDigits(g) || i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3 || g[0] == '0') {
			return false
		}
	}
	return !strings.Contains(s[len(whole):], ",")
}

// currencyWords are the codes of ISO 4217 in use, what is written beside them in shops, and signs of several letters.
const currencyWords = " RMB CNH US$ HK$ NT$ MOP$ A$ AU$ C$ CA$ NZ$ S$ SG$ R$ MX$ CN¥ JP¥ RM RP RS KR ZŁ TL " +
	"AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK " +
	"DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT " +
	"LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF " +
	"SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG "
