namespace Stoa.Gateway.Chat;

/// <param name="Input">All prompt tokens, those read from and written to a cache among them.</param>
/// <param name="Output">All generated tokens, reasoning among them.</param>
/// <param name="CacheWriteHour">The part of <paramref name="CacheWrite"/> that is kept for an hour, which costs more.</param>
/// <param name="Estimated">The provider gave no figures, so these are ours.</param>
internal readonly record struct TokenUsage(
    long Input,
    long Output,
    long CacheRead = 0,
    long CacheWrite = 0,
    long CacheWriteHour = 0,
    long Reasoning = 0,
    long AudioIn = 0,
    long AudioOut = 0,
    bool Estimated = false)
{
    /// <summary>A larger figure is no count of one call's tokens. It is not believed: sums over such figures would overflow.</summary>
    public const long MaxFigure = 1_000_000_000;

    public long Total => Input + Output;
}
