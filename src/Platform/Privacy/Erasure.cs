using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Privacy;

/// <summary>The job that erases a person once the grace time is over.</summary>
internal sealed record ErasePerson(Guid PersonId)
{
    public const string Kind = "platform.erase_person";
}

/// <summary>Asks for an erasure and takes it back. The job is made in the same unit of work, so what was promised happens.</summary>
internal sealed class Erasure(IdentityDb db, TimeProvider time, IOptions<PersonOptions> options)
{
    /// <summary>When the person will be erased. Asking again changes nothing.</summary>
    /// <exception cref="Failure">Conflict <c>last_owner</c>: an organization with other members would be left without an owner.</exception>
    public async Task<DateTimeOffset> RequestAsync(Guid personId, string actor, CancellationToken ct)
    {
        var person = await db.People.FirstAsync(person => person.Id == personId, ct);
        if (person.EraseAt is { } set)
        {
            return set;
        }
        if (await IsNeededAsync(personId, ct))
        {
            throw new Failure(FailureKind.Conflict, "last_owner",
                "You are the only owner of an organization with other members; make one of them an owner first");
        }
        var at = time.GetUtcNow().AddDays(options.Value.ErasureGraceDays);
        person.EraseAt = at;
        db.Note(time, actor, "erasure.request", $"person:{personId}");
        db.Enqueue(new ErasePerson(personId), new() { RunAt = at, UniqueKey = personId.ToString(), UniqueMode = UniqueMode.Replace });
        await db.SaveChangesAsync(ct);
        return at;
    }

    /// <summary>The job stays and will find nothing to do.</summary>
    public async Task CancelAsync(Guid personId, string actor, CancellationToken ct)
    {
        var person = await db.People.FirstAsync(person => person.Id == personId, ct);
        if (person.EraseAt is not null)
        {
            person.EraseAt = null;
            db.Note(time, actor, "erasure.cancel", $"person:{personId}");
            await db.SaveChangesAsync(ct);
        }
    }

    private Task<bool> IsNeededAsync(Guid personId, CancellationToken ct) => db.Memberships.AnyAsync(
        own => own.PersonId == personId && own.Role == MemberRole.Owner
            && db.Memberships.Any(other => other.OrganizationId == own.OrganizationId && other.PersonId != personId)
            && !db.Memberships.Any(other => other.OrganizationId == own.OrganizationId
                && other.PersonId != personId && other.Role == MemberRole.Owner
                && db.People.Any(person => person.Id == other.PersonId && person.State == PersonState.Active)),
        ct);
}

/// <summary>Erases in every module, the platform's own part last: as long as it is there, a failed run can be repeated.</summary>
internal sealed class ErasePersonHandler(IdentityDb db, IEnumerable<IPersonalData> modules, TimeProvider time) : IJobHandler<ErasePerson>
{
    public async Task RunAsync(ErasePerson job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (!await db.People.AnyAsync(person => person.Id == job.PersonId && person.EraseAt <= now, ct))
        {
            // Taken back, or done before.
            return;
        }
        foreach (var module in modules.OrderBy(module => module is PlatformData))
        {
            await module.EraseAsync(job.PersonId, ct);
        }
    }
}
