// SPDX-License-Identifier: Apache-2.0
//
// Reference photos on their way in: is there one face, and will a booth be able to read the file?
// The same detector as on the booth decides. JPEG is kept as it is; JPEG 2000, which comes out of
// passport chips, is turned into JPEG.
//
// Foreign bytes. Thread: one at a time.

#ifndef EG_CENTRAL_INTAKE_H
#define EG_CENTRAL_INTAKE_H

#include "firmware/base/buf.h"

struct eg_intake;

// Loads detector and landmarks of the model pack. Costs a second.
int eg_intake_new(const char *pack_folder, struct eg_intake **ret_intake,
		  struct eg_err *err) EG_CHECKED;
void eg_intake_free(struct eg_intake *intake); // takes NULL

// 0: usable. EG_EINVAL, EG_ETOOBIG, EG_EUNSUPPORTED with a sentence: it is not (no face, several
// faces, unreadable, too large). Other codes: we failed, not the photo.
int eg_intake_check(struct eg_intake *intake, struct eg_bytes photo, struct eg_err *err) EG_CHECKED;

// What is stored and sent for a photo that was checked: a JPEG, appended to `jpeg`.
int eg_intake_jpeg(struct eg_bytes photo, struct eg_buf *jpeg, struct eg_err *err) EG_CHECKED;

#endif
