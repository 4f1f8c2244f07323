package bot

import (
	"context"
	"sync"

	"escalator/bot/desk"
)

// modelDesk is Desk with one session, told from outside what goes wrong.
type modelDesk struct {
	mu     sync.Mutex
	state  desk.State
	gives  desk.State // what a transfer leads to; empty: nobody is online
	faults []modelFault
	away   bool
	ours   bool // the session is where it is because of a transfer of ours
	double int  // transfers of a session that an earlier one of ours had moved
}

// modelFault is one way in which a call can go wrong.
type modelFault struct {
	after bool // the call is carried out and its answer is lost
	code  int  // 0: the connection breaks
}

func (d *modelDesk) TransferToHuman(context.Context, desk.TransferRequest) (desk.TransferResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, failed := d.fault()
	if failed && !f.after {
		return desk.TransferResult{}, f.err()
	}
	result, err := d.transfer()
	if failed {
		return desk.TransferResult{}, f.err()
	}
	return result, err
}

func (d *modelDesk) transfer() (desk.TransferResult, error) {
	switch {
	case d.state == desk.StateNotInSession:
		return desk.TransferResult{}, code(141005)
	case d.state != desk.StateChatbot:
		if d.ours {
			d.double++
		}
		return desk.TransferResult{}, code(141003)
	case d.gives == "":
		return desk.TransferResult{}, code(141001)
	}
	d.state, d.ours = d.gives, true
	return desk.TransferResult{Queued: d.state == desk.StateQueueing}, nil
}

func (d *modelDesk) SessionState(context.Context, desk.StateRequest) (desk.SessionState, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, failed := d.fault(); failed {
		return desk.SessionState{}, f.err()
	}
	return desk.SessionState{SessionID: "s1", State: d.state}, nil
}

func (d *modelDesk) ContactUser(context.Context, desk.ContactRequest) (string, error) {
	return "", code(141001)
}

func (d *modelDesk) EndQueuing(context.Context, string) error { return nil }

func (d *modelDesk) SendMsg(context.Context, desk.SendRequest) error { return nil }

func (d *modelDesk) fault() (f modelFault, failed bool) {
	if d.away {
		return modelFault{}, true
	}
	if len(d.faults) == 0 {
		return f, false
	}
	f, d.faults = d.faults[0], d.faults[1:]
	return f, true
}

func (f modelFault) err() error {
	if f.code != 0 {
		return code(f.code)
	}
	return errLostAnswer
}

// put moves the session without us.
func (d *modelDesk) put(s desk.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state, d.ours = s, false
}

func (d *modelDesk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}
