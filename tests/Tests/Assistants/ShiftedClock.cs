namespace Stoa.Tests.Assistants;

/// <summary>A clock that a test sets, and that goes on from there; its timers are real ones.</summary>
internal sealed class ShiftedClock(DateTimeOffset now) : TimeProvider
{
    private long shift = (now - System.GetUtcNow()).Ticks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref shift));

    public void Set(DateTimeOffset instant) => Interlocked.Exchange(ref shift, (instant - System.GetUtcNow()).Ticks);
}
