using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// The targets of a call that has more than one: an alias' or the client's fallbacks. Each is asked only when the one before has failed.
/// </summary>
internal sealed class CallRoute(IReadOnlyList<ModelTarget> targets)
{
    /// <summary>Retries included, over all targets.</summary>
    public const int MaxAttempts = 6;

    private int current;
    private Failure? earlier;

    public ModelTarget First => targets[0];

    public IReadOnlyList<ModelTarget> Targets => targets;

    /// <summary>Whether another target may still answer: there is one, nothing has reached the client, and it could do better.</summary>
    public bool MayGoOn(HttpContext context, GatewayCall call, Exception thrown, TimeProvider time) =>
        current < targets.Count - 1
        && !context.Response.HasStarted && !call.IsComplete
        && call.Attempts < MaxAttempts
        && (call.GiveUpAt == 0 || time.GetTimestamp() < call.GiveUpAt)
        && !ClientLeftException.Explains(thrown, context)
        && MayHelp(ProviderFaults.Of(thrown));

    public ModelTarget GoOn(Failure failure)
    {
        earlier = failure;
        current++;
        return targets[current];
    }

    /// <summary>What the client is told. A substitute that cannot do what was asked does not make the request a wrong one.</summary>
    public Exception Explain(Exception thrown) => earlier is not null && !MayHelp(ProviderFaults.Of(thrown)) ? earlier : thrown;

    /// <summary>What is wrong with the request stays wrong wherever it goes.</summary>
    public static bool MayHelp(Failure failure) => failure.Kind switch
    {
        FailureKind.Upstream or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.TooMany or FailureKind.Quota
            or FailureKind.Unavailable or FailureKind.Forbidden or FailureKind.NotFound => true,
        FailureKind.Invalid or FailureKind.TooLarge or FailureKind.UnsupportedMedia or FailureKind.MethodNotAllowed or FailureKind.Conflict
            or FailureKind.Unauthenticated or FailureKind.Internal => false,
    };
}
