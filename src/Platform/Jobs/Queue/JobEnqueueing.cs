using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

public static class JobEnqueueing
{
    /// <summary>
    /// Adds the job to the unit of work: it is written by the next <c>SaveChangesAsync</c> in the same transaction, so it exists exactly
    /// when its cause does, and starts when that is committed.
    /// </summary>
    public static JobReceipt Enqueue<TJob>(this ModuleDb db, TJob job, EnqueueOptions? options = null)
        where TJob : class
    {
        var made = db.GetService<JobQueue>().Make(job, options);
        db.Enqueue(made);
        return made.Receipt;
    }

    internal static void Enqueue(this ModuleDb db, NewJob made) => db.Alongside(() => new Pending(db.GetService<JobQueue>())).Add(made);

    private sealed class Pending(JobQueue queue) : IAlongside
    {
        private readonly List<NewJob> jobs = [];
        private bool isWritten;

        public bool IsEmpty => jobs.Count == 0;

        public bool IsOneStatement => JobInsert.IsOneStatement(jobs);

        public void Add(NewJob job) => jobs.Add(job);

        public async Task WriteAsync(NpgsqlConnection connection, CancellationToken ct)
        {
            await JobInsert.WriteAsync(connection, jobs, ct);
            jobs.Clear();
            isWritten = true;
        }

        public void Committed()
        {
            if (isWritten)
            {
                isWritten = false;
                queue.Wake();
            }
        }
    }
}
