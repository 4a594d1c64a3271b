using System.Buffers;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// What must be known of a dialect to forward its bodies as bytes: what to change on the way in, where usage stands on the way out.
/// </summary>
internal interface IRawDialect
{
    /// <summary>The body for the provider, or null when it can go out as it came.</summary>
    PooledBytes? Rewrite(ReadOnlySpan<byte> body, RequestOutline outline, ModelTarget target);

    /// <summary>The usage of a whole answer; null when it reports none.</summary>
    /// <exception cref="Failure">The answer is not JSON, or it is an error in spite of its status.</exception>
    TokenUsage? ReadUsage(ReadOnlySpan<byte> answer);

    RawStream OpenStream(ReadOnlySpan<byte> body, RequestOutline outline);

    /// <summary>The frame that fills silence.</summary>
    void KeepAlive(IBufferWriter<byte> output);

    /// <summary>The frame that tells a failure after the stream has begun.</summary>
    void WriteError(Failure failure, string requestId, IBufferWriter<byte> output);
}

/// <summary>Follows a stream of this dialect while it passes, and picks up what the Gateway must know.</summary>
internal abstract class RawStream
{
    /// <summary>What the provider has reported so far.</summary>
    public TokenUsage? Usage { get; protected set; }

    /// <summary>True once the provider has sent the dialect's end mark.</summary>
    public bool IsFinished { get; protected set; }

    /// <summary>True when the connection may end now, although the end mark is missing.</summary>
    public bool MayEnd { get; protected set; }

    /// <summary>Set when the provider sent an error instead of an answer, or in the middle of it.</summary>
    public Failure? Refusal { get; protected set; }

    /// <summary>
    /// Looks through whole events. What the client must not see is closed up; returns how many bytes are left, which with a refusal are
    /// those before it.
    /// </summary>
    public abstract int Read(Span<byte> events);

    /// <summary>What the client still needs to see when the provider ended without its end mark.</summary>
    public abstract ReadOnlyMemory<byte> Ending { get; }
}
