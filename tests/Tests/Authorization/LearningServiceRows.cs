using Stoa.Platform.Http;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Learning's routes around its courses. What other surfaces' credentials open opens to none of the matrix's callers here; the tests of
/// Learning try everybody of a school.
/// </summary>
internal static class LearningServiceRows
{
    /// <summary>Of nothing that there is: it must not be asked for before the caller is known.</summary>
    private const string Unknown = "987654321";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["PUT /learning/file/presigned-url/create"] = new("learner", Body: "{}"),
        ["GET /learning/file/presigned-url/get"] = new("learner"),
        ["POST /learning/file/upload-local"] = new("learner"),
        ["GET /learning/file/download-local"] = new("learner"),
        ["GET /learning/uploads/{filename}"] =
            new(AccessRule.Anyone, Always("0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11.png")) { Whose = Whose.Everybodys, Answers = [404] },
        ["POST /learning/code"] = new("learner", Body: "{}"),
        ["GET /learning/code/user/{user_id}/question/{question_id}"] = Of(Unknown, Unknown),
        ["DELETE /learning/code/user/{user_id}/question/{question_id}"] = Of(Unknown, Unknown),
        ["GET /learning/hva/org_id"] = new("learner"),
        ["GET /learning/hva/is_user_hva_learner"] = new("learner"),
        ["POST /learning/integrations"] = new("learner", Body: "{}"),
        ["GET /learning/integrations"] = new("learner"),
        ["DELETE /learning/integrations"] = new("learner", Body: "{}"),
        ["GET /learning/integrations/{integration_id}"] = Of(Unknown),
        ["PUT /learning/integrations/{integration_id}"] = Of(Unknown),
        ["DELETE /learning/integrations/{integration_id}"] = Of(Unknown),
        ["POST /learning/organizations/{org_id}/api_keys"] = Of(Unknown),
        ["GET /learning/organizations/{org_id}/api_keys"] = Of(Unknown),
        ["DELETE /learning/organizations/{org_id}/api_keys/{key_id}"] = Of(Unknown, Unknown),
        // A header that is missing is told before it is said who may not.
        ["GET /learning/chat_history"] = new("school_key") { Stranger = 422 },
        ["GET /learning/course/{course_id}"] = new("school_key", Always(Unknown)) { Whose = Whose.Everybodys, Stranger = 422 },
        ["GET /learning/public/chat_history"] = new("school_key") { Stranger = 422 },
        ["GET /learning/public/course/{course_id}"] = new("school_key", Always(Unknown)) { Whose = Whose.Everybodys, Stranger = 422 },
        ["GET /learning/health"] = new(AccessRule.Anyone),
        ["HEAD /learning/health"] = new(AccessRule.Anyone),
    };

    private static MatrixRow Of(params string[] ids) => new("learner", Always(ids), Body: "{}") { Whose = Whose.Everybodys };
}
