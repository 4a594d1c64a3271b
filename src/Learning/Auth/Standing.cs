using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Auth;

/// <summary>
/// What the caller is to the thing that a route is about: the rules of all routes are made of these few. In the mode Open nothing is
/// refused; the front end's server passes none but those that name it.
/// </summary>
internal sealed class Standing(StandingRow row, LearningProof proof)
{
    public bool IsOpen => proof == LearningProof.None;

    public bool IsService => proof == LearningProof.Service;

    /// <summary>Null for the service and in the mode Open.</summary>
    public int? UserId => row.UserId;

    public string? Email => row.Email;

    /// <summary>Whose the thing is.</summary>
    public int? OrganizationId => row.OrganizationId;

    /// <summary>Owner or admin of the organization whose the thing is.</summary>
    public bool IsAdmin => row.IsAdmin || IsOpen;

    public bool IsMentor => row.IsMentor;

    public bool IsLearner => row.IsLearner;

    public bool IsMember => row.IsMentor || row.IsLearner;

    /// <summary>Runs the installation.</summary>
    public bool IsOperator => row.IsOperator || IsOpen;

    public DateTimeOffset? JoinedAt => row.JoinedAt;

    public bool IsSelf(int userId) => row.UserId == userId || IsOpen;

    /// <summary>The caller, who must be a person.</summary>
    /// <exception cref="Failure">403.</exception>
    public int RequireUser() => UserId ?? throw Refusal.Forbidden();

    /// <exception cref="Failure">403.</exception>
    public void Require(bool holds)
    {
        if (!holds && !IsOpen)
        {
            throw Refusal.Forbidden();
        }
    }

    public void RequireAdmin() => Require(IsAdmin);

    public void RequireSelf(int userId) => Require(IsSelf(userId));

    /// <summary>Admins of the organization and mentors.</summary>
    public void RequireStaff() => Require(IsAdmin || IsMentor);

    /// <summary>Everybody in the cohort, and admins.</summary>
    public void RequireMember() => Require(IsAdmin || IsMember);

    public void RequireSelfOrAdmin(int userId) => Require(IsSelf(userId) || IsAdmin);

    public void RequireSelfOrStaff(int userId) => Require(IsSelf(userId) || IsAdmin || IsMentor);
}
