package diskspace

import "golang.org/x/sys/windows"

// Of asks for the disk that dir lies on; dir must exist.
func Of(dir string) (Space, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return Space{}, err
	}
	var s Space
	if err := windows.GetDiskFreeSpaceEx(path, &s.Free, &s.Size, nil); err != nil {
		return Space{}, err
	}
	return s, nil
}
