using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Telemetry;

namespace Stoa.Platform.Http;

/// <summary>
/// The outermost middleware: every request gets its id, is counted for the drain, and whatever goes wrong behind it is told to the
/// caller once, in the dialect of its surface, and to us once, in the log.
/// </summary>
internal sealed partial class Edge(
    RequestDelegate next, ErrorDialects dialects, Drain drain, OtlpExport export, TimeProvider time, ILogger<Edge> logger)
{
    /// <summary>Not on the wire: the client has gone. It keeps such calls apart in the metrics.</summary>
    private const int ClientGone = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        var id = RequestIds.For(context, time);
        context.TraceIdentifier = id;
        context.Response.Headers[RequestIds.Header] = id;
        RequestScope.Enter(id, context.Request.Headers.TraceParent);
        drain.Enter(context);
        try
        {
            await next(context);
            if (context.Response is { StatusCode: >= 400, HasStarted: false, ContentLength: null, ContentType: null }
                && Failures.From(context.Response.StatusCode, context) is { } failure)
            {
                await RenderAsync(context, failure);
            }
        }
        catch (Exception error)
        {
            await AnswerAsync(context, error);
        }
        finally
        {
            drain.Leave();
            if (export.IsTracing)
            {
                ServerSpan.Describe(context);
            }
        }
    }

    private async Task AnswerAsync(HttpContext context, Exception error)
    {
        // The token may fire a moment after the connection has told.
        if (context.RequestAborted.IsCancellationRequested || error is ConnectionResetException or ConnectionAbortedException)
        {
            LogGone();
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = ClientGone;
            }
            // Else the server would try to read the rest of a body that never comes.
            context.Abort();
            return;
        }
        var failure = Failures.From(error, context, drain.IsDraining);
        if (failure.Kind == FailureKind.Internal)
        {
            LogUnexpected(error, context.Request.Method, context.Request.Path);
        }
        if (!context.Response.HasStarted)
        {
            await RenderAsync(context, failure);
            return;
        }
        // A body that ends as if it were whole would be believed, so the connection breaks.
        LogCut(failure.Code);
        context.Abort();
    }

    private Task RenderAsync(HttpContext context, Failure failure)
    {
        var response = context.Response;
        response.ContentLength = null;
        response.Headers.ContentEncoding = default;
        response.Headers.ETag = default;
        response.Headers.CacheControl = default;
        if (failure.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        return dialects.For(context).WriteAsync(context, failure);
    }

    [LoggerMessage(LogLevel.Debug, "The client left before the answer was complete")]
    private partial void LogGone();

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed unexpectedly")]
    private partial void LogUnexpected(Exception error, string method, string path);

    [LoggerMessage(LogLevel.Warning, "The answer broke off after it had begun: {Code}")]
    private partial void LogCut(string code);
}
