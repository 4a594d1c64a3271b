using System.Diagnostics;

namespace Stoa.Platform.Telemetry;

/// <summary>The request on whose behalf code runs, for the log. Holds texts only: what outlives the request may keep it.</summary>
internal sealed class RequestScope
{
    private static readonly AsyncLocal<RequestScope?> Now = new();

    private readonly string? traceParent;

    private RequestScope(string id, string? traceParent) => (Id, this.traceParent) = (id, traceParent);

    public static RequestScope? Current => Now.Value;

    public string Id { get; }

    /// <summary>The caller's trace id, also when we record no spans ourselves.</summary>
    public string? TraceId => ActivityContext.TryParse(traceParent, null, out var caller) ? caller.TraceId.ToHexString() : null;

    /// <summary>For the rest of the calling asynchronous method.</summary>
    public static void Enter(string id, string? traceParent) => Now.Value = new(id, traceParent);
}
