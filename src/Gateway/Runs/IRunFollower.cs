using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

/// <summary>Something that follows a run: its jobs are committed with the run's row, so they exist exactly when it does.</summary>
internal interface IRunFollower
{
    IEnumerable<NewJob> Follow(Run run, RunResult result);
}
