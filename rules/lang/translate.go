package lang

import "reflect"

// Translate returns an answer as it is to be written for a reader: a copy in which each Text is in that language.
func Translate(answer any, l Language) any {
	if answer == nil || l == English {
		return answer
	}
	v := reflect.New(reflect.TypeOf(answer)).Elem()
	v.Set(reflect.ValueOf(answer))
	translate(v, l)
	return v.Interface()
}

// translate changes the texts that can be reached from a value that can be set.
func translate(v reflect.Value, l Language) {
	if v.Type() == reflect.TypeFor[Text]() {
		v.SetString(string(Raw(Text(v.String()).In(l))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			theirs := v.Elem()
			v.Set(reflect.New(theirs.Type()))
			v.Elem().Set(theirs)
			translate(v.Elem(), l)
		}
	case reflect.Interface:
		if !v.IsNil() {
			v.Set(reflect.ValueOf(Translate(v.Elem().Interface(), l)))
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		theirs := v.Slice(0, v.Len())
		v.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		reflect.Copy(v, reflect.ValueOf(theirs.Interface()))
		for i := range v.Len() {
			translate(v.Index(i), l)
		}
	case reflect.Map:
		if v.IsNil() {
			return
		}
		theirs := reflect.ValueOf(v.Interface()).MapRange()
		v.Set(reflect.MakeMap(v.Type()))
		for theirs.Next() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(theirs.Value())
			translate(value, l)
			v.SetMapIndex(theirs.Key(), value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				translate(v.Field(i), l)
			}
		}
	default: // nothing else holds a text
	}
}
