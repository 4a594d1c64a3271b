using System.Buffers;
using Microsoft.Extensions.Logging;

namespace Stoa.Platform.Telemetry;

/// <summary>
/// Our log: the caller formats its line into a pooled buffer and goes on; one thread writes what has gathered in one piece. When the
/// reader of our output stands still and the queue is full, lines below Warning are left out and counted; others wait.
/// </summary>
[ProviderAlias("Stoa")]
internal sealed class LogWriter : ILoggerProvider
{
    private const int MostWaiting = 8_192;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);

    private readonly Stream[] outputs;
    private readonly LogLine line;
    private readonly TimeProvider time;
    private readonly object gate = new();
    private readonly Thread writer;
    private List<ArraySegment<byte>> waiting = new(256);
    private List<ArraySegment<byte>> writing = new(256);
    private bool isClosed;
    private bool isUrgent;
    private long leftOut;

    public LogWriter(LogFormat format, TimeProvider time, params Stream[] outputs)
    {
        (this.outputs, this.time, line) = (outputs, time, new LogLine(format));
        writer = new Thread(WriteAll) { IsBackground = true, Name = "log" };
        writer.Start();
        AppDomain.CurrentDomain.UnhandledException += OnCrash;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Writes what is waiting, then ends.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.UnhandledException -= OnCrash;
        Close();
    }

    private void OnCrash(object sender, UnhandledExceptionEventArgs crash)
    {
        if (crash.ExceptionObject is Exception error)
        {
            Add(LogLevel.Critical, "Stoa", default, "The process ends by an unhandled exception", error, static (text, _) => text);
        }
        Close();
    }

    private void Close()
    {
        lock (gate)
        {
            isClosed = true;
            Monitor.PulseAll(gate);
        }
        writer.Join(FlushLimit);
    }

    private void Add<TState>(
        LogLevel level, string category, EventId id, TState state, Exception? error, Func<TState, Exception?, string> format)
    {
        var text = line.Format(time.GetUtcNow(), level, category, id, state, error, format);
        lock (gate)
        {
            while (waiting.Count >= MostWaiting && !isClosed)
            {
                if (level < LogLevel.Warning)
                {
                    leftOut++;
                    ArrayPool<byte>.Shared.Return(text.Array!);
                    return;
                }
                Monitor.Wait(gate);
            }
            waiting.Add(text);
            isUrgent |= level >= LogLevel.Warning || waiting.Count == MostWaiting / 2;
            if (waiting.Count == 1 || isUrgent)
            {
                Monitor.PulseAll(gate);
            }
        }
    }

    private void WriteAll()
    {
        var batch = new ArrayBufferWriter<byte>(64 * 1024);
        while (Take() is { } missing)
        {
            foreach (var text in writing)
            {
                batch.Write(text);
                ArrayPool<byte>.Shared.Return(text.Array!);
            }
            writing.Clear();
            if (missing > 0)
            {
                var notice = line.Format(time.GetUtcNow(), LogLevel.Warning, "Stoa.Log", default, missing, null,
                    static (count, _) => $"{count} lines below Warning were left out: the output is slower than the log");
                batch.Write(notice);
                ArrayPool<byte>.Shared.Return(notice.Array!);
            }
            foreach (var output in outputs)
            {
                WriteTo(output, batch.WrittenSpan);
            }
            batch.ResetWrittenCount();
        }
    }

    /// <summary>Moves the waiting lines to <see cref="writing"/>; the result is how many were left out, null at the end.</summary>
    private long? Take()
    {
        lock (gate)
        {
            while (waiting.Count == 0)
            {
                if (isClosed)
                {
                    return null;
                }
                Monitor.Wait(gate);
            }
            // To wake a thread for each line costs more than to write it.
            if (!isUrgent && !isClosed)
            {
                Monitor.Wait(gate, Gathering);
            }
            isUrgent = false;
            (waiting, writing) = (writing, waiting);
            var missing = leftOut;
            leftOut = 0;
            Monitor.PulseAll(gate);
            return missing;
        }
    }

    private static void WriteTo(Stream output, ReadOnlySpan<byte> text)
    {
        try
        {
            output.Write(text);
            output.Flush();
        }
        catch (IOException)
        {
            // The reader of our output has gone, or the disk is full; a log that cannot be written must not end the service.
        }
    }

    private sealed class Logger(LogWriter owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                owner.Add(logLevel, category, eventId, state, exception, formatter);
            }
        }
    }
}
