using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Telemetry;

namespace Stoa.Platform.Notifications;

/// <summary>
/// Whatever is logged as an error with its exception is put aside to be reported. Whoever logs never waits: when errors come faster than
/// they are taken, the rest stays in the log alone.
/// </summary>
[ProviderAlias("ErrorReports")]
internal sealed class ErrorLog(TimeProvider time) : ILoggerProvider
{
    private readonly Channel<ReportError> waiting = Channel.CreateBounded<ReportError>(
        new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public ChannelReader<ReportError> Waiting => waiting.Reader;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() => waiting.Writer.TryComplete();

    private void Add(string category, string context, Exception error) => waiting.Writer.TryWrite(
        new(time.GetUtcNow(), ReportedException.Of(error), context, category, RequestScope.Current?.Id, RequestScope.Current?.TraceId));

    private sealed class Logger(ErrorLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null && IsEnabled(logLevel))
            {
                log.Add(category, formatter(state, exception), exception);
            }
        }
    }
}
