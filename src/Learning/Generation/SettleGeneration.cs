using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <summary>Ends generations whose job is no more: a job can die without a last word, and a page would wait for it for ever.</summary>
internal sealed record SettleGeneration
{
    public const string Kind = "learning.settle_generation";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    public static readonly JobRules Rules = new() { OnlyIf = "select exists (select from learning.course_generation_jobs)" };
}

internal sealed class SettleGenerationHandler(LearningDb db) : IJobHandler<SettleGeneration>
{
    private const string Lost = "job_lost";

    public async Task RunAsync(SettleGeneration job, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.course_generation_jobs g
            set status = 'failed', job_details = jsonb_set(job_details, array['error'], to_jsonb({Lost})), updated_at = now()
            where g.status = 'started' and g.job_id is not null and not exists (select from platform.jobs j where j.id = g.job_id)
            """, ct);
        var lost = await db.Database.SqlQuery<LostTask>($"""
            select g.uuid, g.course_id from learning.task_generation_jobs g
            where g.status = 'started' and g.job_id is not null and not exists (select from platform.jobs j where j.id = g.job_id)
            order by g.id limit 1000
            """).ToListAsync(ct);
        foreach (var course in lost.GroupBy(task => task.CourseId))
        {
            await GenerationEnds.EndTasksAsync(
                db, course.Key, [.. course.Select(task => task.Uuid)], TaskGenerationStatus.Failed, Lost, ct);
        }
        await transaction.CommitAsync(ct);
    }

    private sealed record LostTask(Guid Uuid, int CourseId);
}

/// <summary>The ends of tasks' generations, and of their course's with the last of them.</summary>
internal static class GenerationEnds
{
    /// <summary>In the caller's transaction.</summary>
    public static async Task EndTasksAsync(
        LearningDb db, int courseId, Guid[] generations, TaskGenerationStatus status, string? error, CancellationToken ct)
    {
        var word = EnumNames<TaskGenerationStatus>.Write(status);
        var tasks = await db.Database.SqlQuery<int>($"""
            update learning.task_generation_jobs
            set status = {word}, updated_at = clock_timestamp(),
              job_details = case when {error}::text is null then job_details else jsonb_set(job_details, array['error'], to_jsonb({error}::text)) end
            where uuid = any ({generations}) and status = 'started' returning task_id as "Value"
            """).ToListAsync(ct);
        // A course is made as soon as nothing of it is under way; it has failed only when nothing came of it.
        await db.Database.ExecuteSqlAsync($"""
            update learning.course_generation_jobs c
            set status = case when exists (select from learning.task_generation_jobs t
              where t.course_job_uuid = c.uuid and t.status = 'completed')
              then 'completed' else 'failed' end, updated_at = now()
            where c.course_id = {courseId} and c.status = 'pending'
              and exists (select from learning.task_generation_jobs t where t.course_job_uuid = c.uuid)
              and not exists (select from learning.task_generation_jobs t where t.course_job_uuid = c.uuid and t.status = 'started')
            """, ct);
        foreach (var task in status == TaskGenerationStatus.Failed ? tasks : [])
        {
            await GenerationEvents.TellAsync(
                db, courseId, new() { ["event"] = "task_failed", ["task"] = new JsonObject { ["id"] = task } }, ct);
        }
        if (tasks.Count > 0 && await GenerationEvents.CountersAsync(db, courseId, ct) is { } counters)
        {
            foreach (var task in tasks)
            {
                counters["task"] = new JsonObject { ["id"] = task };
                await GenerationEvents.TellAsync(db, courseId, counters, ct);
            }
        }
    }
}
