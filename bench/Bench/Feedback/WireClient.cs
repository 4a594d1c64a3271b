using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stoa.Bench.Feedback;

/// <summary>
/// One keep-alive connection that blocks: a request, then its whole answer. It allocates nothing for an answer, as the generator shares the
/// machine with what it measures.
/// </summary>
internal sealed class WireClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _head;
    private readonly byte[] _request = new byte[16 * 1024];
    private byte[] _answer = new byte[256 * 1024];
    private int _used;

    internal WireClient(Uri url, string key)
    {
        _head = Encoding.ASCII.GetBytes($"Host: {url.Authority}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: ");
        _socket.Connect(new IPEndPoint(IPAddress.Parse(url.Host), url.Port));
    }

    internal int Status { get; private set; }

    public void Dispose() => _socket.Dispose();

    /// <summary>The body of the answer, until the next call.</summary>
    internal ReadOnlySpan<byte> Send(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, ReadOnlySpan<byte> body)
    {
        var at = 0;
        Add(method, ref at);
        Add(" "u8, ref at);
        Add(path, ref at);
        Add(" HTTP/1.1\r\n"u8, ref at);
        Add(_head, ref at);
        Utf8Formatter.TryFormat(body.Length, _request.AsSpan(at), out var digits);
        at += digits;
        Add("\r\n\r\n"u8, ref at);
        Add(body, ref at);
        _socket.Send(_request.AsSpan(0, at));
        _used = 0;
        return Receive();
    }

    private void Add(ReadOnlySpan<byte> part, ref int at)
    {
        part.CopyTo(_request.AsSpan(at));
        at += part.Length;
    }

    private ReadOnlySpan<byte> Receive()
    {
        int end;
        while ((end = _answer.AsSpan(0, _used).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Fill();
        }
        var head = _answer.AsSpan(0, end + 2);
        Status = Utf8Parser.TryParse(head[9..], out int status, out _) ? status : 0;
        var start = end + 4;
        if (head.IndexOf("chunked"u8) >= 0)
        {
            return Chunks(start);
        }
        var found = head.IndexOf("\r\nContent-Length: "u8);
        var length = found >= 0 && Utf8Parser.TryParse(head[(found + 18)..], out int given, out _) ? given : 0;
        while (_used < start + length)
        {
            Fill();
        }
        return _answer.AsSpan(start, length);
    }

    /// <summary>Moves the chunks together.</summary>
    private ReadOnlySpan<byte> Chunks(int start)
    {
        for (int at = start, body = start; ;)
        {
            int line;
            while ((line = _answer.AsSpan(at, _used - at).IndexOf("\r\n"u8)) < 0)
            {
                Fill();
            }
            if (!Utf8Parser.TryParse(_answer.AsSpan(at, line), out int size, out _, 'x'))
            {
                throw new InvalidOperationException("A chunk has no size.");
            }
            at += line + 2;
            while (_used < at + size + 2)
            {
                Fill();
            }
            if (size == 0)
            {
                return _answer.AsSpan(start, body - start);
            }
            _answer.AsSpan(at, size).CopyTo(_answer.AsSpan(body));
            body += size;
            at += size + 2;
        }
    }

    private void Fill()
    {
        if (_used == _answer.Length)
        {
            Array.Resize(ref _answer, _answer.Length * 2);
        }
        var got = _socket.Receive(_answer.AsSpan(_used));
        _used += got > 0 ? got : throw new InvalidOperationException("The server closed the connection.");
    }
}
