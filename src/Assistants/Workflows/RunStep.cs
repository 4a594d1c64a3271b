using Stoa.Assistants.Cortexes;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Workflows;

/// <summary>Does one step of a workflow.</summary>
internal sealed record RunStep(int StepExecutionId)
{
    public const string Kind = "assistants.run_workflow_step";
}

internal sealed class RunStepCortex(AssistantsDb db, WorkflowStore workflows, ExecutionSubjects executions, Mind mind, TimeProvider time)
    : Cortex<RunStep, RunStepCortex.Subject, string>(db)
{
    private static readonly string Prompt = CortexPrompts.Of("run-workflow-step.1");

    private static readonly AnswerForm<string[]> Form = AnswerForms.Tags("result");

    protected override async Task<Subject?> LoadAsync(RunStep job, CancellationToken ct) =>
        await workflows.FindAsync(job.StepExecutionId, ct) is { } step && await executions.FindAsync(step.ExecutionId, ct) is { } about
            ? new(step, about) : null;

    protected override async Task<string> ThinkAsync(Subject subject, JobContext context, CancellationToken ct)
    {
        var (step, about) = subject;
        var material = about.Introduction(time.GetUtcNow()).Add("task", about.Task)
            .Add("step", $"{step.Name}: {step.Definition}").Add("form", about.Inputs).Add("parameter", step.Parameter);
        try
        {
            var answer = await mind.AskAsync(
                new(about.OrganizationId, "run_workflow_step", Prompt, material.ToString()) { MaxOutput = 4_000 }, Form, context, ct);
            return answer[0];
        }
        catch (Exception failed) when (!ct.IsCancellationRequested && CortexRules.IsLast(failed, context))
        {
            await workflows.FailAsync([step.Id], "No model could do this step", ct);
            throw;
        }
    }

    protected override Task SaveAsync(Subject subject, string thought, CancellationToken ct) =>
        workflows.SaveAsync(subject.Step, subject.About, thought, ct);

    internal sealed record Subject(StepSubject Step, ExecutionSubject About);
}
