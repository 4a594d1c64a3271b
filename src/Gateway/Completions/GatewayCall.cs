using System.Diagnostics;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Completions;

/// <summary>One admitted call on its way through the Gateway, with what its usage record will say.</summary>
internal sealed class GatewayCall(
    Surface surface, ApiKey key, ModelTarget target, RequestOutline outline, Admission admission, string requestId, long started)
{
    public Surface Surface => surface;

    public ApiKey Key => key;

    /// <summary>Who answers; another one after each failure that is made up for.</summary>
    public ModelTarget Target { get; private set; } = target;

    /// <summary>What the client asks of the Gateway itself; null for nearly every call.</summary>
    public CallWishes? Wishes { get; init; }

    /// <summary>Where else the call may go; null where there is nothing else.</summary>
    public CallRoute? Route { get; init; }

    /// <summary>The provider's key for this call instead of the operator's.</summary>
    public string? ProviderKey { get; set; }

    /// <summary>Of the key that the organization brought; empty where it is asked with another.</summary>
    public string ProviderKeyId { get; set; } = "";

    /// <summary>The client's patience, where it says so.</summary>
    public TimeoutOptions? Timeouts { get; set; }

    /// <summary>When the call has taken too long, whoever is asked; a timestamp, 0 where only the attempts have their limits.</summary>
    public long GiveUpAt { get; set; }

    public string RequestId => requestId;

    /// <summary>A timestamp of the process' clock.</summary>
    public long Started => started;

    public bool IsStream { get; } = outline.IsStream;

    /// <summary>Our guess at the prompt's tokens; used for limits, and for usage where the provider reports none.</summary>
    public long EstimatedInput { get; } = outline.EstimatedInput;

    public Admission Admission { get; } = admission;

    /// <summary>What is held of budgets; <see cref="Reservation.None"/> where there are none.</summary>
    public Reservation Reservation { get; set; } = Reservation.None;

    public CacheUse Cache { get; set; }

    /// <summary>The whole answer, where it may be given again.</summary>
    public byte[]? Answer { get; private set; }

    /// <summary>The dialect of the provider's endpoint that answers; null for a provider in this process.</summary>
    public Dialect? Endpoint { get; set; } = target.Provider.Kind.Dialect;

    /// <summary>The endpoint of the provider below its base address, where it is not its chat's.</summary>
    public string? Path { get; init; }

    /// <summary>
    /// Keeps a finished answer before its end leaves: it is given the whole body, or the events among which the stream's last one is.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, Task>? Keep { get; init; }

    public int Attempts { get; set; } = 1;

    /// <summary>US dollars, since it was recorded; null where the model has no price.</summary>
    public decimal? Cost { get; set; }

    /// <summary>Those of the targets that were asked before this one.</summary>
    public int EarlierAttempts { get; private set; }

    /// <summary>A timestamp; 0 until the provider's answer began.</summary>
    public long FirstByte { get; set; }

    /// <summary>As the provider reported it; null when it has not.</summary>
    public TokenUsage? Usage { get; set; }

    /// <summary>Bytes of answer that passed, for an estimate where the provider reports nothing.</summary>
    public long AnswerBytes { get; set; }

    /// <summary>The span of this call; null while nobody traces.</summary>
    public Activity? Span { get; } = ModelSignals.Start(surface.Operation, target);

    /// <summary>Events of a streamed answer that passed: about a token each.</summary>
    public long AnswerEvents { get; set; }

    /// <summary>Set once the call is recorded.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Keeps a copy of the answer where the cache wants one.</summary>
    public void Answered(PooledBytes answer)
    {
        if (Cache == CacheUse.Miss)
        {
            Answer = answer.Span.ToArray();
        }
    }

    /// <summary>A request to the present target, with what this call brings for it.</summary>
    public ProviderRequest RequestTo(
        Uri uri, ReadOnlyMemory<byte> body, bool isStream, string contentType = "application/json") => new(uri, body, isStream)
    {
        ContentType = contentType,
        ApiKey = ProviderKey,
        Timeouts = Timeouts,
        GiveUpAt = GiveUpAt,
        Attempts = EarlierAttempts,
        MaxAttempts = Route is null ? int.MaxValue : CallRoute.MaxAttempts,
    };

    /// <summary>Forgets what the last target did, but for how often it was asked.</summary>
    public void MoveTo(ModelTarget next)
    {
        Target = next;
        EarlierAttempts = Attempts;
        (FirstByte, AnswerBytes, AnswerEvents, Usage) = (0, 0, 0, null);
    }
}
