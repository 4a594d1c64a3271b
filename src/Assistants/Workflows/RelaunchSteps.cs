using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Workflows;

/// <summary>Every half hour: steps that came to no end are begun again.</summary>
internal sealed record RelaunchSteps
{
    public const string Kind = "assistants.relaunch_workflow_steps";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(30);
}

internal sealed class RelaunchStepsHandler(WorkflowStore workflows) : IJobHandler<RelaunchSteps>
{
    public Task RunAsync(RelaunchSteps job, JobContext context, CancellationToken ct) => workflows.RelaunchAsync(ct);
}
