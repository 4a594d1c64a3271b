using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Auth;
using Stoa.Learning.Organizations;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <summary>Begins and ends generations. What is begun is a row with its job, committed together.</summary>
internal sealed class GenerationStarts(LearningDb db, ReferenceMaterial references, SchoolBudgets budgets, JobActs jobs, TimeProvider time)
{
    private const string Cancelled = "cancelled";

    /// <returns>The id by which its contents are asked for later.</returns>
    /// <exception cref="Failure">404: there is no such document. 409: the course is being made already. 429: the month's budget is used
    /// up.</exception>
    public async Task<Guid> StructureAsync(Standing caller, int courseId, GenerationApi.StructureRequest request, CancellationToken ct)
    {
        await references.RequireAsync(caller, request.ReferenceMaterialKey, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var owner = await LockCourseAsync(courseId, ct);
        await budgets.RequireAsync(owner.OrganizationId!.Value, ct);
        if (await db.CourseGenerationJobs.AnyAsync(job => job.CourseId == courseId && job.Status == CourseGenerationStatus.Started, ct)
            || await db.TaskGenerationJobs.AnyAsync(job => job.CourseId == courseId && job.Status == TaskGenerationStatus.Started, ct))
        {
            throw new Failure(FailureKind.Conflict, "generation_running", "The course is being generated already");
        }
        var uuid = Guid.CreateVersion7(time.GetUtcNow());
        db.CourseGenerationJobs.Add(new()
        {
            Uuid = uuid, CourseId = courseId, Status = CourseGenerationStatus.Started,
            JobDetails = new JsonObject
            {
                ["course_description"] = request.CourseDescription,
                ["intended_audience"] = request.IntendedAudience,
                ["instructions"] = request.Instructions,
                ["reference_material_s3_key"] = request.ReferenceMaterialKey,
            }.ToJsonString(),
        });
        var receipt = db.Enqueue(new GenerateStructure(uuid), new() { Owner = owner });
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync($"update learning.course_generation_jobs set job_id = {receipt.Id} where uuid = {uuid}", ct);
        await transaction.CommitAsync(ct);
        return uuid;
    }

    /// <summary>Asked for a second time, it has nothing to do.</summary>
    /// <exception cref="Failure">404, 400, 429.</exception>
    public async Task TasksAsync(int courseId, string jobUuid, CancellationToken ct)
    {
        if (!Guid.TryParse(jobUuid, CultureInfo.InvariantCulture, out var uuid))
        {
            throw Failure.NotFound("Job");
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var job = await db.CourseGenerationJobs.FromSql($"select * from learning.course_generation_jobs where uuid = {uuid} for update")
            .FirstOrDefaultAsync(ct)
            ?? throw Failure.NotFound("Job");
        if (job.CourseId != courseId)
        {
            throw Refusal.BadRequest("The job belongs to another course");
        }
        if (job.Status == CourseGenerationStatus.Started)
        {
            throw Refusal.BadRequest("The structure is not complete yet");
        }
        if (job.Status == CourseGenerationStatus.Failed)
        {
            throw Refusal.BadRequest("The structure could not be generated");
        }
        var owner = await LockCourseAsync(courseId, ct);
        var made = await db.TaskGenerationJobs.AnyAsync(task => task.CourseId == courseId && EF.Functions.JsonContains(
            task.JobDetails, $$"""{"course_job_uuid":"{{uuid}}"}"""), ct);
        if (!made)
        {
            await budgets.RequireAsync(owner.OrganizationId!.Value, ct);
            await AddTasksAsync(job, owner, ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>What is made stays; what is under way stops within seconds and leaves nothing.</summary>
    public async Task CancelAsync(int courseId, int? by, CancellationToken ct)
    {
        List<Guid> running;
        await using (var transaction = await db.Database.BeginTransactionAsync(ct))
        {
            await LockCourseAsync(courseId, ct);
            running = await db.Database.SqlQuery<Guid>($"""
                with courses as (
                  update learning.course_generation_jobs
                  set status = 'failed', job_details = jsonb_set(job_details, array['error'], to_jsonb({Cancelled})), updated_at = now()
                  where course_id = {courseId} and status in ('started', 'pending') and deleted_at is null returning job_id
                ), tasks as (
                  update learning.task_generation_jobs
                  set status = 'failed', job_details = jsonb_set(job_details, array['error'], to_jsonb({Cancelled})), updated_at = now()
                  where course_id = {courseId} and status = 'started' and deleted_at is null returning job_id
                )
                select job_id as "Value" from courses where job_id is not null union all select job_id from tasks where job_id is not null
                """).ToListAsync(ct);
            await GenerationEvents.TellCountersAsync(db, courseId, ct);
            await transaction.CommitAsync(ct);
        }
        foreach (var job in running)
        {
            await StopAsync(job, by, ct);
        }
    }

    private async Task StopAsync(Guid job, int? by, CancellationToken ct)
    {
        try
        {
            await jobs.CancelAsync(job, scope: null, string.Create(CultureInfo.InvariantCulture, $"learner:{by}"), ct);
        }
        catch (Failure failure) when (failure.Kind == FailureKind.NotFound)
        {
            // It ended a moment ago.
        }
    }

    private async Task AddTasksAsync(CourseGenerationJob job, JobOwner owner, CancellationToken ct)
    {
        var details = JsonNode.Parse(job.JobDetails)!;
        var tasks = StructureTasks.Read(details["course_structure"] as JsonObject).ToList();
        foreach (var task in tasks)
        {
            var uuid = Guid.CreateVersion7(time.GetUtcNow());
            var receipt = db.Enqueue(new GenerateTask(uuid), new() { Owner = owner, LimitKey = job.Uuid.ToString() });
            var detailsOfTask = new JsonObject
            {
                ["task"] = task.Task.DeepClone(), ["concept"] = task.Concept.DeepClone(),
                ["course_job_uuid"] = job.Uuid.ToString(), ["course_id"] = job.CourseId,
                ["reference_material_s3_key"] = (string?)details["reference_material_s3_key"],
            };
            // A task that was deleted since needs no contents.
            await db.Database.ExecuteSqlAsync($"""
                insert into learning.task_generation_jobs (uuid, task_id, course_id, status, job_details, job_id, course_job_uuid)
                select {uuid}, t.id, {job.CourseId}, 'started', {detailsOfTask.ToJsonString()}::jsonb, {receipt.Id}, {job.Uuid}
                from learning.tasks t where t.id = {task.Id} and t.deleted_at is null
                """, ct);
        }
        if (tasks.Count == 0)
        {
            job.Status = CourseGenerationStatus.Completed;
        }
        await db.SaveChangesAsync(ct);
    }

    private async Task<JobOwner> LockCourseAsync(int courseId, CancellationToken ct)
    {
        var organization = await db.Database.SqlQuery<Guid?>($"""
            select o.organization_id as "Value" from learning.courses c join learning.organizations o on o.id = c.org_id
            where c.id = {courseId} and c.deleted_at is null for update of c
            """).ToListAsync(ct);
        return organization is [var id] ? new(id ?? Organization.DefaultId) : throw Failure.NotFound("Course");
    }
}

/// <summary>The tasks of a structure as it is kept.</summary>
internal static class StructureTasks
{
    public static IEnumerable<(int Id, JsonObject Task, JsonObject Concept)> Read(JsonObject? structure) =>
        from module in structure?["modules"] as JsonArray ?? []
        from concept in module!["concepts"]!.AsArray()
        from task in concept!["tasks"]!.AsArray()
        select ((int)task!["id"]!, task.AsObject(),
            new JsonObject { ["name"] = (string?)concept["name"], ["description"] = (string?)concept["description"] });
}
