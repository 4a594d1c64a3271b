using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Load;

/// <summary>
/// One thread that keeps connections busy (closed loop) or sends at given times whatever comes back (open loop). Latency in
/// the open loop counts from the time at which the request was due, so that a stall is not hidden by the wait for it.
/// </summary>
internal sealed class LoadRun : IDisposable
{
    private const int MostConnections = 1024;

    private readonly LoadOptions _options;
    private readonly byte[] _request;
    private readonly int _threadAt;
    private readonly Epoll _epoll = new();
    private readonly List<Connection> _connections = [];
    private readonly Stack<int> _idle = [];
    private readonly List<float> _latencies = new(1 << 20);
    private readonly List<float> _firsts = new(1 << 20);
    private long _events;
    private int _thread;
    private int _errors;

    private LoadRun(LoadOptions options)
    {
        _options = options;
        _request = options.Request();
        _threadAt = _request.AsSpan().IndexOf(Encoding.ASCII.GetBytes(LoadOptions.ThreadName)) + "bench-".Length;
        for (var number = 0; number < options.Connections; number++)
        {
            Open();
        }
    }

    internal static LoadResult Play(LoadOptions options)
    {
        using var run = new LoadRun(options);
        return run.Play();
    }

    public void Dispose()
    {
        _connections.ForEach(connection => connection.Dispose());
        _epoll.Dispose();
    }

    private LoadResult Play()
    {
        RunFor(_options.WarmSeconds, most: 0);
        _latencies.Clear();
        _firsts.Clear();
        (_events, _errors) = (0, 0);
        var (cpu, tree) = Cpu();
        var started = Stopwatch.GetTimestamp();
        RunFor(_options.Seconds, _options.Most);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (cpuAfter, treeAfter) = Cpu();
        var answers = Math.Max(_latencies.Count, 1);
        _latencies.Sort();
        _firsts.Sort();
        return new(
            _latencies.Count, _errors, _latencies.Count / seconds,
            At(_latencies, 0.5), At(_latencies, 0.9), At(_latencies, 0.99), At(_latencies, 1),
            At(_firsts, 0.5), At(_firsts, 0.99),
            (double)_events / answers, (cpuAfter - cpu) / answers, (treeAfter - tree) / answers);
    }

    private void RunFor(double seconds, int most)
    {
        var now = Stopwatch.GetTimestamp();
        var end = now + (long)(seconds * Stopwatch.Frequency);
        var step = _options.Rate > 0 ? Stopwatch.Frequency / _options.Rate : 0;
        var due = now;
        while (now < end && (most == 0 || _latencies.Count < most))
        {
            if (step == 0)
            {
                while (_idle.TryPop(out var number))
                {
                    Send(number, Stopwatch.GetTimestamp());
                }
            }
            for (; step > 0 && due <= now && (_idle.Count > 0 || _connections.Count < MostConnections); due += step)
            {
                if (_idle.Count == 0)
                {
                    Open();
                }
                Send(_idle.Pop(), due);
            }
            var ready = _epoll.Wait(step > 0 ? Math.Min(due, end) : end);
            for (var index = 0; index < ready; index++)
            {
                Receive(_epoll.NumberAt(index));
            }
            now = Stopwatch.GetTimestamp();
        }
    }

    private void Receive(int number)
    {
        var connection = _connections[number];
        switch (connection.Read())
        {
            case Progress.Waiting:
                break;
            case Progress.Answered:
                _latencies.Add(Microseconds(connection.DueAt, Stopwatch.GetTimestamp()));
                _firsts.Add(Microseconds(connection.DueAt, connection.FirstBodyAt));
                _events += connection.Events;
                _idle.Push(number);
                break;
            case Progress.Failed:
                Replace(number);
                break;
        }
    }

    private void Send(int number, long dueAt)
    {
        if (_options.Threads > 0)
        {
            Utf8Formatter.TryFormat(_thread++ % _options.Threads, _request.AsSpan(_threadAt), out _, new('D', 7));
        }
        if (!_connections[number].Send(_request, dueAt))
        {
            Replace(number);
        }
    }

    private void Open()
    {
        var connection = new Connection(_options.Endpoint, _options.Streams);
        _epoll.Watch(connection.Socket, _connections.Count);
        _idle.Push(_connections.Count);
        _connections.Add(connection);
    }

    private void Replace(int number)
    {
        _errors++;
        _connections[number].Dispose();
        try
        {
            _connections[number] = new(_options.Endpoint, _options.Streams);
        }
        catch (SocketException)
        {
            // The server is gone: the connection stays closed and the loop runs out.
            return;
        }
        _epoll.Watch(_connections[number].Socket, number);
        _idle.Push(number);
    }

    private (double Own, double Tree) Cpu() =>
        (ProcessStat.CpuMicroseconds(_options.Processes.Take(1)), ProcessStat.TreeCpuMicroseconds(_options.Processes));

    private static float Microseconds(long from, long to) => (float)((to - from) * 1e6 / Stopwatch.Frequency);

    private static double At(List<float> sorted, double share) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];
}
