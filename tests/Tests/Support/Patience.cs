namespace Stoa.Tests.Support;

/// <summary>
/// How long a test waits for what is to come before it says that it does not. On a machine under load a second's work takes a minute, and
/// who waits pays only when something is broken.
/// </summary>
internal static class Patience
{
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    /// <param name="saying">What there is instead, for the message.</param>
    public static Task UntilAsync(Func<bool> holds, Func<string>? saying = null) => UntilAsync(() => Task.FromResult(holds()), saying);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string}?)"/>
    public static async Task UntilAsync(Func<Task<bool>> holds, Func<string>? saying = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Long, saying?.Invoke() ?? "It did not come to that");
            await Task.Delay(Moment, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
