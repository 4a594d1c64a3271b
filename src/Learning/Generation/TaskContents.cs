using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Learning.Progress;
using Stoa.Learning.Scorecards;
using Stoa.Learning.Tasks;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <summary>Saves what was written for a task, or that nothing was, with its job in one transaction: no run saves twice.</summary>
internal sealed class TaskContents(LearningDb db, Standings standings, Blocks documents, IOptions<GenerationOptions> options)
{
    private static readonly JsonObject Settings = new() { ["allowCopyPaste"] = true };

    public Task SaveMaterialAsync(TaskGenerationJob generation, JsonArray blocks, JobContext context, CancellationToken ct) => SaveAsync(
        generation, () => db.Tasks.Where(task => task.Id == generation.TaskId)
            .ExecuteUpdateAsync(set => set.SetProperty(task => task.Blocks, documents.Normalize(blocks).ToJsonString()), ct), context, ct);

    public Task SaveQuizAsync(
        TaskGenerationJob generation, IReadOnlyList<GeneratedQuestion> questions, JobContext context, CancellationToken ct) => SaveAsync(
        generation, async () =>
        {
            var orgId = await db.Tasks.Where(task => task.Id == generation.TaskId).Select(task => task.OrgId).FirstAsync(ct);
            foreach (var (question, position) in questions.Select((question, position) => (question, position)))
            {
                await AddAsync(question, position, generation.TaskId, orgId, ct);
            }
        }, context, ct);

    /// <summary>It counts as finished all the same.</summary>
    public async Task FailAsync(TaskGenerationJob generation, string code, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await context.FenceAsync(db, ct);
        if (await TakeAsync(generation, ct))
        {
            await EndAsync(generation, TaskGenerationStatus.Failed, code, ct);
        }
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task SaveAsync(TaskGenerationJob generation, Func<Task> save, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await context.FenceAsync(db, ct);
        if (await TakeAsync(generation, ct))
        {
            await save();
            var status = options.Value.Publishes ? PublishState.Published : PublishState.Draft;
            await db.Tasks.Where(task => task.Id == generation.TaskId)
                .ExecuteUpdateAsync(set => set.SetProperty(task => task.Status, status), ct);
            await standings.MarkStaleByTasksAsync([generation.TaskId], ct);
            await EndAsync(generation, TaskGenerationStatus.Completed, error: null, ct);
        }
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Locks the course's generation, so that of two tasks that end at once one sees that it was the last. False when nobody wants this
    /// task any more.
    /// </summary>
    private async Task<bool> TakeAsync(TaskGenerationJob generation, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"""
            select from learning.course_generation_jobs
              where uuid = (select course_job_uuid from learning.task_generation_jobs where uuid = {generation.Uuid}) for update
            """, ct);
        return await db.TaskGenerationJobs.AnyAsync(job => job.Uuid == generation.Uuid && job.Status == TaskGenerationStatus.Started, ct);
    }

    private async Task EndAsync(TaskGenerationJob generation, TaskGenerationStatus status, string? error, CancellationToken ct) =>
        await GenerationEnds.EndTasksAsync(db, generation.CourseId, [generation.Uuid], status, error, ct);

    private async Task AddAsync(GeneratedQuestion question, int position, int taskId, int orgId, CancellationToken ct)
    {
        var row = new QuestionRow
        {
            TaskId = taskId,
            Type = question.Type,
            Blocks = documents.Normalize(question.Blocks).ToJsonString(),
            Answer = question.Answer is { } answer ? documents.Normalize(answer).ToJsonString() : null,
            InputType = question.InputType,
            CodingLanguages = question.Languages.Count > 0
            ? new JsonArray([.. question.Languages.Select(name => JsonValue.Create(name))]).ToJsonString() : null,
            ResponseType = ResponseType.Chat,
            Position = position,
            IsFeedbackShown = true,
            Context = question.Context.Count > 0
                ? new JsonObject { ["blocks"] = documents.Normalize(question.Context).DeepClone(), ["linkedMaterialIds"] = null }
                .ToJsonString()
                : null,
            Title = question.Title,
            Settings = Settings.ToJsonString(),
        };
        db.Questions.Add(row);
        if (question.Scorecard is not { } wanted)
        {
            await db.SaveChangesAsync(ct);
            return;
        }
        var card = new ScorecardRow { OrgId = orgId, Title = wanted.Title,
            Criteria = wanted.Criteria.ToJsonString(), Status = PublishState.Published };
        db.Scorecards.Add(card);
        await db.SaveChangesAsync(ct);
        db.QuestionScorecards.Add(new() { QuestionId = row.Id, ScorecardId = card.Id });
        await db.SaveChangesAsync(ct);
    }
}
