"""Messages between agent, guard and shim arrive as they were sent, whatever their size."""

from __future__ import annotations

import os
import socket
import threading

from agent.processes.wire import LENGTH, End, Launch, TreeEnded, receive, receive_with


def test_a_message_larger_than_any_buffer_arrives_with_its_descriptors():
    ours, theirs = socket.socketpair()
    sent = Launch([b"a", b"\xff"], b"/d", {b"BIG": b"x" * 5_000_000}, 7, -3, 300, (1, 2, [3, 4]))
    reading, writing = os.pipe()

    def send():
        frame = sent.packed()
        socket.send_fds(ours, [frame[:LENGTH]], [writing, writing])
        ours.sendall(frame[LENGTH:])

    thread = threading.Thread(target=send)
    thread.start()
    got, fds = receive_with(theirs)
    thread.join()
    assert {name: getattr(got, name) for name in Launch.__slots__} == {
        name: getattr(sent, name) for name in Launch.__slots__
    }
    assert [os.get_inheritable(fd) for fd in fds] == [False, False]
    assert os.fstat(fds[0]) == os.fstat(writing)
    for fd in (reading, writing, *fds):
        os.close(fd)
    ours.close()
    theirs.close()


def test_a_closed_end_is_no_message_also_in_the_middle_of_one():
    for part in (b"", End(1.5).packed()[:2], TreeEnded(status=3).packed()[:-1]):
        ours, theirs = socket.socketpair()
        ours.sendall(part)
        ours.close()
        assert receive(theirs.fileno()) is None
        theirs.close()


def test_messages_keep_their_order():
    ours, theirs = socket.socketpair()
    for message in (TreeEnded(status=-9, left=[1, 2], cpu=0.5, over=10), End(0.25)):
        message.send(ours.fileno())
    ended, end = receive(theirs.fileno()), receive_with(theirs)
    assert (ended.status, ended.left, ended.cpu, ended.over, ended.lost) == (-9, [1, 2], 0.5, 10, 0)
    assert (end[0].grace, end[1]) == (0.25, [])
    ours.close()
    theirs.close()
