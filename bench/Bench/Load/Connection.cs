using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Stoa.Bench.Load;

internal enum Progress
{
    Waiting,
    Answered,
    Failed,
}

/// <summary>One keep-alive connection: sends the prepared request, reads exactly one answer, keeps its times.</summary>
internal sealed class Connection : IDisposable
{
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly byte[] _tail = new byte[64];
    private readonly bool _expectsStream;
    private int _used;
    private int _tailUsed;
    private bool _inBody;
    private bool _chunked;
    private long _remaining;
    private byte _previous;

    internal Connection(IPEndPoint endpoint, bool expectsStream)
    {
        _expectsStream = expectsStream;
        Socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(endpoint);
        Socket.Blocking = false;
    }

    internal Socket Socket { get; }

    internal bool IsBusy { get; private set; }

    /// <summary>When the answer was due to be asked for; in a closed loop, when it was.</summary>
    internal long DueAt { get; private set; }

    internal long FirstBodyAt { get; private set; }

    internal int Status { get; private set; }

    internal int Events { get; private set; }

    internal bool Send(ReadOnlySpan<byte> request, long dueAt)
    {
        DueAt = dueAt;
        IsBusy = true;
        _used = _tailUsed = Events = Status = 0;
        _inBody = false;
        _previous = 0;
        FirstBodyAt = 0;
        while (!request.IsEmpty)
        {
            var sent = Socket.Send(request, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                Socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectWrite);
                continue;
            }
            if (error != SocketError.Success)
            {
                return false;
            }
            request = request[sent..];
        }
        return true;
    }

    internal Progress Read()
    {
        while (true)
        {
            var got = Socket.Receive(_buffer.AsSpan(_used), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return Progress.Waiting;
            }
            if (error != SocketError.Success || got == 0)
            {
                return Progress.Failed;
            }
            _used += got;
            if (Advance() is var progress && progress != Progress.Waiting)
            {
                IsBusy = false;
                return progress;
            }
        }
    }

    public void Dispose() => Socket.Dispose();

    private Progress Advance()
    {
        var at = 0;
        if (!_inBody)
        {
            var end = _buffer.AsSpan(0, _used).IndexOf(EndOfHead);
            if (end < 0)
            {
                return _used == _buffer.Length ? Progress.Failed : Progress.Waiting;
            }
            if (!ReadHead(_buffer.AsSpan(0, end + 2)))
            {
                return Progress.Failed;
            }
            at = end + EndOfHead.Length;
            _inBody = true;
        }
        var progress = _chunked ? Chunks(ref at) : Plain(ref at);
        _buffer.AsSpan(at, _used - at).CopyTo(_buffer);
        _used -= at;
        return progress == Progress.Answered && !IsComplete() ? Progress.Failed : progress;
    }

    private bool ReadHead(ReadOnlySpan<byte> head)
    {
        Status = Utf8Parser.TryParse(head[9..], out int status, out _) ? status : 0;
        _chunked = head.IndexOf("chunked"u8) >= 0;
        if (_chunked)
        {
            _remaining = 0;
            return true;
        }
        foreach (var name in (ReadOnlySpan<byte[]>)["\r\nContent-Length: "u8.ToArray(), "\r\ncontent-length: "u8.ToArray()])
        {
            var found = head.IndexOf(name);
            if (found >= 0)
            {
                return Utf8Parser.TryParse(head[(found + name.Length)..], out _remaining, out _);
            }
        }
        return false;
    }

    private Progress Plain(ref int at)
    {
        var part = (int)Math.Min(_remaining, _used - at);
        Take(_buffer.AsSpan(at, part));
        at += part;
        _remaining -= part;
        return _remaining == 0 ? Progress.Answered : Progress.Waiting;
    }

    // _remaining counts the chunk's bytes with the line end behind them; 0 means that a size line comes next.
    private Progress Chunks(ref int at)
    {
        while (true)
        {
            if (_remaining == 0)
            {
                var line = _buffer.AsSpan(at, _used - at);
                var end = line.IndexOf("\r\n"u8);
                if (end < 0)
                {
                    return Progress.Waiting;
                }
                if (!Utf8Parser.TryParse(line[..end], out int size, out _, 'x'))
                {
                    return Progress.Failed;
                }
                if (size == 0)
                {
                    if (line.Length < end + 4)
                    {
                        return Progress.Waiting;
                    }
                    at += end + 4;
                    return Progress.Answered;
                }
                at += end + 2;
                _remaining = size + 2;
            }
            var part = (int)Math.Min(_remaining, _used - at);
            if (part == 0)
            {
                return Progress.Waiting;
            }
            Take(_buffer.AsSpan(at, (int)Math.Min(part, Math.Max(0, _remaining - 2))));
            at += part;
            _remaining -= part;
        }
    }

    private void Take(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return;
        }
        if (FirstBodyAt == 0)
        {
            FirstBodyAt = Stopwatch.GetTimestamp();
        }
        if (!_expectsStream)
        {
            return;
        }
        Events += body.Count("\n\n"u8) + (_previous == '\n' && body[0] == '\n' ? 1 : 0);
        _previous = body[^1];
        var kept = body.Length > _tail.Length ? body[^_tail.Length..] : body;
        var old = Math.Min(_tailUsed, _tail.Length - kept.Length);
        _tail.AsSpan(_tailUsed - old, old).CopyTo(_tail);
        kept.CopyTo(_tail.AsSpan(old));
        _tailUsed = old + kept.Length;
    }

    /// <summary>Status 200, and a stream says itself that it is over.</summary>
    private bool IsComplete()
    {
        var tail = _tail.AsSpan(0, _tailUsed);
        return Status == 200 && (!_expectsStream || tail.IndexOf("[DONE]"u8) >= 0 || tail.IndexOf("message_stop"u8) >= 0);
    }
}
