using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Mail;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Users;

/// <summary>Users by id.</summary>
internal sealed class UserStore(AssistantsDb db, Mailer mailer, IOptions<AssistantsOptions> options, TimeProvider time)
{
    public Task<UserRow?> FindAsync(string id, CancellationToken ct) =>
        db.Users.AsNoTracking().FirstOrDefaultAsync(user => user.Id == id, ct);

    /// <summary>The caller, to be changed.</summary>
    /// <exception cref="Failure">Forbidden: he is there no more, though his token is good.</exception>
    public async Task<UserRow> OwnAsync(string id, CancellationToken ct) =>
        await db.Users.FirstOrDefaultAsync(user => user.Id == id, ct) ?? throw Gone();

    /// <summary>The caller, who has accepted the terms: before that he can begin nothing.</summary>
    public async Task<UserRow> ReadyAsync(string id, CancellationToken ct)
    {
        var user = await FindAsync(id, ct) ?? throw Gone();
        return user.TermsAcceptedAt is not null ? user : throw Failure.Unauthenticated("Terms and conditions not accepted");
    }

    public static Failure Gone() => Failure.Forbidden("Invalid token.");

    /// <summary>Where new users belong.</summary>
    public async Task<Guid> OrganizationAsync(CancellationToken ct) => options.Value.Organization
        ?? await db.Database.SqlQuery<Guid>($"select id as \"Value\" from platform.organizations order by id limit 1").SingleAsync(ct);

    /// <summary>
    /// Adds him to the unit of work, with what every new user gets for nothing: a purchase of the free product, its tasks, and a mail that
    /// welcomes him.
    /// </summary>
    public async Task<UserRow> AddAsync(UserRow user, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Add(user);
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            with free as (select id from assistants.products where is_free order by id limit 1),
              bought as (
                insert into assistants.purchases (user_id, product_id, created_at) select {user.Id}, id, {user.CreatedAt} from free)
            insert into assistants.user_tasks (user_id, task_id)
            select {user.Id}, given.task_id from free join assistants.product_tasks given on given.product_id = free.id
            order by given.task_id
            """, ct);
        if (mailer.IsConfigured)
        {
            var mail = new SendAccountMail(user.Id, AccountMailKind.Welcome);
            db.Enqueue(mail, mail.Once(JobOwners.Of(user)));
            await db.SaveChangesAsync(ct);
        }
        await transaction.CommitAsync(ct);
        return user;
    }

    /// <summary>What is known of the user of a session, in a few words. False when there is no such session.</summary>
    public async Task<bool> SummarizeAsync(string sessionId, string summary, CancellationToken ct) => await db.Users
        .Where(user => db.Sessions.Any(session => session.Id == sessionId && session.UserId == user.Id && !session.IsDeleted))
        .ExecuteUpdateAsync(
            set => set.SetProperty(user => user.Summary, summary).SetProperty(user => user.SummaryUpdatedAt, time.GetUtcNow()), ct) > 0;
}
