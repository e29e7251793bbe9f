// The shapes of answers: what the writers of rows.h and the handlers write.
#pragma once

#include "core/api/shape.h"

namespace sm::api {

extern const AnswerShape kHealthAnswer;
extern const AnswerShape kTenantAnswer;
extern const AnswerShape kNewTenantAnswer;
extern const AnswerShape kKeyAnswer;
extern const AnswerShape kNewKeyAnswer;
extern const AnswerShape kSourceAnswer;
extern const AnswerShape kTargetAnswer;
extern const AnswerShape kSourcePropertyAnswer;
extern const AnswerShape kTargetPropertyAnswer;
extern const AnswerShape kSnapshotAnswer;
extern const AnswerShape kLogAnswer;
extern const AnswerShape kDeletionAnswer;
extern const AnswerShape kImportAnswer;
extern const AnswerShape kSyncAnswer;
extern const AnswerShape kCleanupAnswer;

}  // namespace sm::api
