namespace Stoa.Platform.Jobs.Calendars;

/// <summary>What the modules of this host declare. A host that is ready has its rows, so whoever asks for one then finds it.</summary>
internal sealed class DeclaredSchedules(IEnumerable<Schedule> declared)
{
    private readonly TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<Schedule> All { get; } = [.. declared];

    public Task WhenWritten => written.Task;

    public void Written() => written.TrySetResult();
}
