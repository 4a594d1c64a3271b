namespace Stoa.Tests.Platform.Limits;

/// <summary>A clock that stands still until told; its wall clock can be set without moving time.</summary>
internal sealed class StepTime : TimeProvider
{
    private TimeSpan passed;

    public DateTimeOffset Wall { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => passed.Ticks;

    public override DateTimeOffset GetUtcNow() => Wall + passed;

    public void Advance(TimeSpan by) => passed += by;
}
