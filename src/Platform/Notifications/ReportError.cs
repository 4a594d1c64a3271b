using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Notifications;

/// <summary>Tells the error tracker of an error that nobody expected.</summary>
/// <param name="Context">What the log says of it.</param>
internal sealed record ReportError(
    DateTimeOffset At, IReadOnlyList<ReportedException> Exceptions, string Context, string Category, string? RequestId, string? TraceId)
{
    public const string Kind = "platform.report_error";

    /// <summary>An error that repeats itself is told once in this time.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    public static readonly JobRules Rules = new() { Priority = JobPriority.Low, MaxAge = TimeSpan.FromDays(1), IsSensitive = true };

    /// <summary>The same for what is thrown at the same place.</summary>
    public string Fingerprint => string.Join('|', Exceptions.Select(exception =>
        exception.Stacktrace is [var place, ..] ? $"{exception.ErrorClass}@{place.Method}:{place.LineNumber}" : exception.ErrorClass));
}

/// <summary>One exception of a chain, in Bugsnag's shape.</summary>
internal sealed record ReportedException(string ErrorClass, string Message, IReadOnlyList<ReportedFrame> Stacktrace)
{
    private const int MostCauses = 5, MostFrames = 100, MostText = 1_000;

    /// <summary>The exception and its causes, outermost first.</summary>
    public static IReadOnlyList<ReportedException> Of(Exception error)
    {
        List<ReportedException> chain = [];
        for (var cause = error; cause is not null && chain.Count < MostCauses; cause = cause.InnerException)
        {
            var message = cause.Message.Length > MostText ? cause.Message[..MostText] : cause.Message;
            chain.Add(new(cause.GetType().FullName ?? cause.GetType().Name, message, [
                .. new StackTrace(cause, fNeedFileInfo: true).GetFrames().Take(MostFrames).Select(ReportedFrame.Of)]));
        }
        return chain;
    }
}

internal sealed record ReportedFrame(string File, int LineNumber, string Method, bool InProject)
{
    public static ReportedFrame Of(StackFrame frame)
    {
        var method = frame.GetMethod();
        // A method that was made while the program runs belongs to no type.
        var type = method?.DeclaringType;
        return new(
            Path.GetFileName(frame.GetFileName()) ?? type?.Assembly.GetName().Name ?? "",
            frame.GetFileLineNumber(),
            type is null ? method?.Name ?? "" : $"{type.FullName}.{method!.Name}",
            type?.FullName?.StartsWith("Stoa.", StringComparison.Ordinal) == true);
    }
}

/// <summary>Makes a job of each error that was put aside.</summary>
internal sealed partial class ErrorReports(ErrorLog log, JobQueue queue, ILogger<ErrorReports> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(() => RunAsync(stoppingToken), stoppingToken);

    private async Task RunAsync(CancellationToken ct)
    {
        await foreach (var report in log.Waiting.ReadAllAsync(ct))
        {
            try
            {
                await queue.EnqueueAsync(report, new() { UniqueKey = report.Fingerprint, UniqueFor = ReportError.Quiet }, ct);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // Most likely the database is away. The error itself is in the log.
                LogLost(error.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "An error is not reported: {Reason}")]
    private partial void LogLost(string reason);
}

/// <summary>
/// <c>POST https://notify.bugsnag.com/</c>, payload version 5. A report that is not taken is given up quietly: it is in the log.
/// </summary>
internal sealed class ReportErrorHandler(
    IHttpClientFactory clients, IOptions<NotificationOptions> options,
    IHostEnvironment environment, TimeProvider time) : IJobHandler<ReportError>
{
    public const string Client = "notifications.bugsnag";

    private static readonly string Version = typeof(ReportErrorHandler).Assembly.GetName().Version!.ToString(3);

    public async Task RunAsync(ReportError job, JobContext context, CancellationToken ct)
    {
        if (options.Value.Bugsnag is not { ApiKey: { Length: > 0 } key } bugsnag)
        {
            return;
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, bugsnag.Url)
        {
            Content = JsonContent.Create(NoticeOf(job, key, bugsnag), NotificationJson.Default.BugsnagNotice),
        };
        request.Headers.Add("Bugsnag-Api-Key", key);
        request.Headers.Add("Bugsnag-Payload-Version", BugsnagNotice.Version);
        request.Headers.Add(
            "Bugsnag-Sent-At", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        using var http = clients.CreateClient(Client);
        try
        {
            await JobPost.SendAsync(http, request, "Bugsnag", time, ct);
        }
        catch (Exception error)
            when (error is not OperationCanceledException && (context.IsLastAttempt || error is JobFailure { Rule: FailureRule.Dead }))
        {
            // A dead job would be an error to report.
            throw JobFailure.Discard(error.Message);
        }
    }

    private BugsnagNotice NoticeOf(ReportError job, string key, BugsnagOptions bugsnag) => new(
        key, BugsnagNotice.Version, new("Stoa", Version, bugsnag.Url),
        [
            new(
                job.Exceptions, job.Context, Severity: "error", Unhandled: true,
                new(Version, bugsnag.ReleaseStage ?? environment.EnvironmentName.ToLowerInvariant()),
                new(Environment.MachineName, job.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
                new(new(job.Category, job.RequestId, job.TraceId))),
        ]);
}

internal sealed record BugsnagNotice(string ApiKey, string PayloadVersion, BugsnagNotifier Notifier, IReadOnlyList<BugsnagEvent> Events)
{
    public const string Version = "5";
}

internal sealed record BugsnagNotifier(string Name, string Version, string Url);

internal sealed record BugsnagEvent(
    IReadOnlyList<ReportedException> Exceptions, string Context, string Severity, bool Unhandled, BugsnagApp App, BugsnagDevice Device,
    BugsnagData MetaData);

internal sealed record BugsnagApp(string Version, string ReleaseStage);

internal sealed record BugsnagDevice(string Hostname, string Time);

internal sealed record BugsnagData(BugsnagStoa Stoa);

internal sealed record BugsnagStoa(string Category, string? RequestId, string? TraceId);
